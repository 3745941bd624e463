package nabiz.launcher;

import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** {@code [--flag...] [-Ekey=value...]}, as Elasticsearch's own start script takes settings. */
public record CommandLine(Set<String> flags, Map<String, String> settings) {
  public boolean has(String flag) {
    return flags.contains(flag);
  }

  /**
   * Reads the arguments from {@code first} on.
   *
   * @throws IllegalArgumentException for anything that is neither a known flag nor a setting: a typing error must not start a server with other settings than asked for
   */
  public static CommandLine parse(String[] args, int first, Set<String> knownFlags) {
    Set<String> flags = new TreeSet<>();
    Map<String, String> settings = new TreeMap<>();
    for (int i = first; i < args.length; i++) {
      int equals = args[i].indexOf('=');
      if (knownFlags.contains(args[i])) {
        flags.add(args[i]);
      } else if (args[i].startsWith("-E") && equals > 2) {
        settings.put(args[i].substring(2, equals), args[i].substring(equals + 1));
      } else {
        throw new IllegalArgumentException("not understood: " + args[i]);
      }
    }
    return new CommandLine(flags, settings);
  }
}
