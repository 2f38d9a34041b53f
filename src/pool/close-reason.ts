/** Why a connection was closed: the closed vocabulary of debug output and statistics. */
export type CloseReason =
  /** It stood idle for as long as it safely could, or longer than was safe for a request that needed a connection. */
  | 'idle-timeout'
  /** `maxSocketAge`. */
  | 'max-age'
  /** `maxRequestsPerSocket`. */
  | 'max-requests'
  /** Another connection to the same address died because nothing came back from there. */
  | 'peer-dead'
  /** Its place was needed by another host, under `maxTotalSockets`. */
  | 'evicted'
  /** The other side had closed it, or it had failed, when the pool looked. */
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
  /** It never came to be. */
  | 'connect-failed';
