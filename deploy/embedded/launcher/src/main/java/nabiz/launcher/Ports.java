package nabiz.launcher;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;

/** Asks for the ports before a server spends seconds of start-up to find one taken. */
public final class Ports {
  /** What both servers answer with when a port belongs to another process. */
  public static final int EXIT_CODE = 3;

  private Ports() {}

  /** Ends the process with {@link #EXIT_CODE} and one line on standard error when {@code port} of 127.0.0.1 is taken. */
  public static void requireFree(int port) {
    try (ServerSocket probe = new ServerSocket()) {
      probe.setReuseAddress(true); // a port in TIME_WAIT is free: a server restarts on its own
      probe.bind(new InetSocketAddress("127.0.0.1", port));
    } catch (IOException e) {
      System.err.println("port in use: " + port);
      System.exit(EXIT_CODE);
    }
  }
}
