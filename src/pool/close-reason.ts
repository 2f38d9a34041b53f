/** Why a connection was closed: the closed vocabulary of debug output and statistics. */
export type CloseReason =
  /** It stood idle for as long as it safely could. */
  | 'idle-timeout'
  /** Its place was needed by another host, under `maxTotalSockets`. */
  | 'evicted'
  /** The other side had closed it, or it had failed, when the pool looked. */
  | 'server-closed'
  /** Bytes came that nobody had asked for. */
  | 'poisoned'
  /** There was no need for it: `keepAlive` off, `maxFreeSockets` reached, a limit lowered, not reusable. */
  | 'surplus'
  /** `agent.destroy()`. */
  | 'destroyed'
  /** The socket closed by itself or by its user's hand: end of the exchange, error, timeout. */
  | 'closed'
  /** It left HTTP (upgrade, CONNECT) and belongs to the caller now. */
  | 'detached'
  /** It never came to be. */
  | 'connect-failed';
