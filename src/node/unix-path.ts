/**
 * Paths of Unix sockets that cannot be connected to. Node 20 and 22 cut a path that is too long, or that has a NUL in it, and connect to what
 * is left of it, which may be another server. `tls.connect` of Node 24 and later throws something else, and leaves behind a
 * socket whose error nobody hears.
 */
import { connect } from 'node:net';

/** Bytes that `sun_path` has room for. */
const MAX_PATH = process.platform === 'linux' ? 108 : 104;

/** Paths up to this length are good everywhere, if they have no NUL in them. */
const SAFE_PATH = 103;

/**
 * Windows, where a path names a pipe, has its own rules.
 *
 * @throws the system's error for a path that it refuses
 */
export function failIfUnusable(path: string): void {
  if (process.platform === 'win32') return;
  const size = Buffer.byteLength(path);
  const hasNul = path.indexOf('\0', 1) !== -1;
  if (size <= SAFE_PATH && !hasNul) return;
  // A NUL at the beginning makes an abstract name, in which there may be others.
  if (size > MAX_PATH || (hasNul && !path.startsWith('\0'))) throw invalidPath(path);
  // Some systems have room for it. The first try is made without TLS.
  const probe = connect({ path }).on('error', () => {});
  const { destroyed, errored } = probe;
  probe.destroy();
  if (destroyed && errored) throw errored;
}

/** As Node has it from the system. */
function invalidPath(path: string): Error {
  // Loaded for this alone.
  const { constants } = process.getBuiltinModule('node:os');
  const details = { errno: -constants.errno.EINVAL, code: 'EINVAL', syscall: 'connect', address: path };
  return Object.assign(new Error(`connect EINVAL ${path}`), details);
}
