/** Single durations of an agent, for histograms that are not its own. */

/** Hears of single durations: of requests that had to wait and of connections that end, not of each request. */
export interface DurationListener {
  /** A request was in the queue of `host` (`host:port`) for this many milliseconds, whatever has become of it. */
  waited(host: string, milliseconds: number): void;
  /** A connection has ended that was ready for this many milliseconds. */
  lived(host: string, milliseconds: number): void;
}
