package nabiz.launcher;

import java.io.IOException;

/** Ties the server's life to the process that started it, so that a killed supervisor leaves no server behind. */
public final class ParentWatch {
  private ParentWatch() {}

  /**
   * From now on this process ends, cleanly and with exit code 0, when its standard input closes or its parent is gone.
   * Either alone would do on most days: the pipe outlives a parent whose other children inherited it, and the process
   * handle says nothing when the parent merely let go of the pipe.
   */
  public static void start() {
    ProcessHandle.current().parent().ifPresent(parent -> parent.onExit().thenRun(() -> System.exit(0)));
    Thread watch = new Thread(ParentWatch::exitAtEndOfInput, "parent-watch");
    watch.setDaemon(true);
    watch.start();
  }

  private static void exitAtEndOfInput() {
    try {
      while (System.in.read() >= 0) {
        // whatever the parent may write means nothing; only the end counts
      }
    } catch (IOException e) {
      // a broken input is an ended one
    }
    System.exit(0);
  }
}
