package nabiz.es;

import java.io.IOException;
import java.io.PrintStream;
import java.net.BindException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import nabiz.launcher.CommandLine;
import nabiz.launcher.ParentWatch;
import nabiz.launcher.Ports;
import org.elasticsearch.Build;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.KeyStoreWrapper;
import org.elasticsearch.common.settings.SecureString;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.node.InternalSettingsPreparer;
import org.elasticsearch.node.Node;
import org.elasticsearch.plugins.PluginBundle;
import org.elasticsearch.plugins.PluginsLoader;
import org.elasticsearch.transport.BindTransportException;

/**
 * A real Elasticsearch node without its distribution:
 * {@code java -cp 'HOME/lib/*' nabiz.es.EmbeddedElasticsearch HOME [--watch-stdin] [--security] -Ekey=value...}.
 * Exit codes: 0 or 143 stopped, 1 other failure, 3 port in use, 4 data folder in use by another node.
 */
public final class EmbeddedElasticsearch {
  // LogConfigurator turns System.out and System.err into log lines; the parent process reads these two
  private static final PrintStream OUT = System.out, ERR = System.err;
  private static volatile Node node;

  public static void main(String[] args) {
    System.setProperty("log4j.shutdownHookEnabled", "false"); // else the log closes before the node does
    System.setProperty("log4j2.disable.jmx", "true");
    try {
      run(args);
    } catch (Throwable t) {
      fail(t);
    }
  }

  private static void run(String[] args) throws Exception {
    Path home = Path.of(args[0]).toAbsolutePath();
    CommandLine line = CommandLine.parse(args, 1, Set.of("--watch-stdin", "--security"));
    boolean security = line.has("--security");
    Map<String, String> options = new HashMap<>(line.settings());
    options.put("path.home", home.toString());
    if (security) {
      options.put("xpack.security.enabled", "true");
    }
    for (String port : new String[] {"http.port", "transport.port"}) {
      if (options.containsKey(port)) {
        Ports.requireFree(Integer.parseInt(options.get(port)));
      }
    }
    String conf = options.remove("path.conf");
    Path config = conf == null ? home.resolve("config") : withDefaults(Path.of(conf), home.resolve("config"));
    if (line.has("--watch-stdin")) {
      ParentWatch.start();
    }
    Settings.Builder secure = Settings.builder();
    if (security) {
      // CONFIG/elasticsearch.keystore is made on the first start (the folder must be writable then); it has no password
      KeyStoreWrapper keystore = KeyStoreWrapper.bootstrap(config, () -> new SecureString(new char[0]));
      String password = System.getenv("ELASTIC_PASSWORD"); // as in Elastic's own container image
      if (password != null && !keystore.getSettingNames().contains("bootstrap.password")) {
        keystore.setString("bootstrap.password", password.toCharArray());
        keystore.save(config, new char[0]);
      }
      secure.setSecureSettings(keystore);
    }
    Environment env = InternalSettingsPreparer.prepareEnvironment(secure.build(), options, config, () -> "n1");
    Files.createDirectories(env.logsDir());
    LogConfigurator.setNodeName(Node.NODE_NAME_SETTING.get(env.settings()));
    LogConfigurator.registerErrorListener();
    LogConfigurator.configure(env, false);

    Thread stop = new Thread(EmbeddedElasticsearch::stop, "stop");
    Runtime.getRuntime().addShutdownHook(stop);
    Set<PluginBundle> modules = new LinkedHashSet<>(PluginsLoader.loadModulesBundles(env.modulesDir()));
    if (!security) {
      modules.removeIf(m -> m.pluginDescriptor().getName().startsWith("x-pack-"));
    }
    node = new Node(env, PluginsLoader.createPluginsLoader(modules, PluginsLoader.loadPluginsBundles(env.pluginsDir()), Map.of(), false));
    node.start();
    OUT.println("started " + Build.current().version());
    OUT.flush();
    Thread.currentThread().join(); // until SIGTERM, or until the parent is gone
  }

  private static synchronized void stop() {
    try {
      if (node != null) {
        node.prepareForClose();
        node.close();
      }
    } catch (IOException e) {
      ERR.println("stopping: " + e);
    }
  }

  /** A configuration folder of one's own starts as a copy of the build's: with security the node writes its keystore there. */
  private static Path withDefaults(Path config, Path defaults) throws IOException {
    Files.createDirectories(config);
    for (String name : new String[] {"elasticsearch.yml", "log4j2.properties"}) {
      if (Files.notExists(config.resolve(name))) {
        Files.copy(defaults.resolve(name), config.resolve(name));
      }
    }
    return config;
  }

  private static void fail(Throwable t) {
    int code = 1;
    for (Throwable c = t; c != null; c = c.getCause()) {
      if (c instanceof BindException || c instanceof BindTransportException || c.getClass().getSimpleName().equals("BindHttpException")) {
        code = Ports.EXIT_CODE;
      } else if (c.getMessage() != null && c.getMessage().contains("failed to obtain node lock")) {
        code = 4;
      }
    }
    ERR.println((code == Ports.EXIT_CODE ? "port in use: " : code == 4 ? "data folder in use: " : "start failed: ") + t);
    if (code == 1) {
      t.printStackTrace(ERR);
    }
    System.exit(code);
  }
}
