package nabiz.kafka;

import java.io.IOException;
import java.io.Reader;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;
import java.util.Set;
import nabiz.launcher.CommandLine;
import nabiz.launcher.ParentWatch;
import nabiz.launcher.Ports;

/**
 * A real Kafka broker (and its controller) without its distribution:
 * {@code java -cp 'HOME/lib/*' nabiz.kafka.EmbeddedKafka HOME DATA [--watch-stdin] [-Ekey=value...]}.
 * Formats DATA at the first start and keeps it at every other; writes its log to DATA/kafka.log.
 * Exit codes: 0 or 143 stopped, 3 port in use, 1 other failure (another broker on the same DATA is one).
 */
public final class EmbeddedKafka {
  /** Fixed, so that a broker finds its own data again: any base64 of 16 bytes will do. */
  private static final String CLUSTER_ID = "nabizAAAAAAAAAAAAAAAAA";

  public static void main(String[] args) throws Exception {
    Path home = Path.of(args[0]).toAbsolutePath(), data = Path.of(args[1]).toAbsolutePath();
    CommandLine line = CommandLine.parse(args, 2, Set.of("--watch-stdin"));
    if (line.has("--watch-stdin")) {
      ParentWatch.start();
    }
    Properties settings = settings(home, data, line);
    for (String listener : settings.getProperty("listeners").split(",")) {
      Ports.requireFree(Integer.parseInt(listener.substring(listener.lastIndexOf(':') + 1).trim()));
    }
    Files.createDirectories(data);
    System.setProperty("nabiz.log", data.resolve("kafka.log").toString());
    System.setProperty("log4j2.configurationFile", home.resolve("config/log4j2.properties").toUri().toString());
    Path file = write(settings, data.resolve("server.properties"));
    if (Files.notExists(Path.of(settings.getProperty("log.dirs"), "meta.properties"))) { // the last file that formatting writes
      format(file);
    }
    kafka.Kafka.main(new String[] {file.toString()});
  }

  private static void format(Path settings) {
    int rc = kafka.tools.StorageTool.execute(new String[] {"format", "--ignore-formatted", "-t", CLUSTER_ID, "-c", settings.toString()}, System.out);
    if (rc != 0) {
      System.exit(rc);
    }
  }

  private static Properties settings(Path home, Path data, CommandLine line) throws IOException {
    Properties settings = new Properties();
    try (Reader in = Files.newBufferedReader(home.resolve("config/server.properties"))) {
      settings.load(in);
    }
    settings.setProperty("log.dirs", data.resolve("log").toString());
    settings.putAll(line.settings());
    return settings;
  }

  private static Path write(Properties settings, Path file) throws IOException {
    try (Writer out = Files.newBufferedWriter(file)) {
      settings.store(out, "written at every start; change config/server.properties of the build, or the -E options");
    }
    return file;
  }
}
