/**
 * Refuses paths of Unix sockets that cannot be connected to. Node 20 and 22 cut a path that is too long, or that has a NUL in it, and connect to
 * the rest, which may be another server. `tls.connect` of Node 24 and later throws another error, and leaves behind a socket without an
 * 'error' listener.
 */
import { connect } from 'node:net';

/** The size of `sun_path` in bytes. */
const MAX_PATH = process.platform === 'linux' ? 108 : 104;

/** Paths up to this length are valid everywhere, if they have no NUL in them. */
const SAFE_PATH = 103;

/**
 * Checks `path`. Not on Windows, where it names a pipe.
 *
 * @throws the system's error for a path that it refuses
 */
export function failIfUnusable(path: string): void {
  if (process.platform === 'win32') return;
  const size = Buffer.byteLength(path);
  const hasNul = path.indexOf('\0', 1) !== -1;
  if (size <= SAFE_PATH && !hasNul) return;
  // A NUL at the beginning makes an abstract name, in which more may follow.
  if (size > MAX_PATH || (hasNul && !path.startsWith('\0'))) throw invalidPath(path);
  // Some systems take this length. A trial connection without TLS tells.
  const probe = connect({ path }).on('error', () => {});
  const { destroyed, errored } = probe;
  probe.destroy();
  if (destroyed && errored) throw errored;
}

/** The error that Node makes of the system's. */
function invalidPath(path: string): Error {
  // Loaded only here.
  const { constants } = process.getBuiltinModule('node:os');
  const details = { errno: -constants.errno.EINVAL, code: 'EINVAL', syscall: 'connect', address: path };
  return Object.assign(new Error(`connect EINVAL ${path}`), details);
}
