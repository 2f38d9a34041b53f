/** The reasons for which connections are closed: the words of debug lines and statistics. */
export type CloseReason =
  /** It was idle for as long as it might be; or for longer than was safe, and a request needed another connection. */
  | 'idle-timeout'
  /** `maxSocketAge`. */
  | 'max-age'
  /** `maxRequestsPerSocket`. */
  | 'max-requests'
  /** Another connection to the same address died because nothing came back from there. */
  | 'peer-dead'
  /** The name that it was opened for has its address no more (`dns: { follow: true }`). */
  | 'address-gone'
  /** Another host needed its slot, under `maxTotalSockets` or at the limit of a proxy. */
  | 'evicted'
  /** The other side had closed it, or it had failed, when it was validated or about to be leased. */
  | 'server-closed'
  /** Bytes came that no request had asked for. */
  | 'poisoned'
  /** There was no need for it: `keepAlive` off, `maxFreeSockets` reached, a limit lowered, not reusable. */
  | 'surplus'
  /** `agent.close()`, `closeIdleConnections()` or `closeAllConnections()`. */
  | 'shutdown'
  /** `agent.destroy()`, or the end of the time that `agent.close()` was given. */
  | 'destroyed'
  /** The socket closed by itself or by its user's hand: end of the exchange, error, timeout. */
  | 'closed'
  /** It left HTTP (upgrade, CONNECT) and belongs to the caller now. */
  | 'detached'
  /** Its dial failed. */
  | 'connect-failed';
