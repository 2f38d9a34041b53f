/** The list of CA certificates that clients trust. */
import { rootCertificates } from 'node:tls';

/** As many as some programs trust: all that a system brings. */
export const MANY_AUTHORITIES = 150;

/** Their names in those of settings. */
export function authoritiesTitle(count: number): string {
  return count === 1 ? '1 CA' : `${count} CAs`;
}

/** `count` PEM certificates: the server's own and, before it, the roots that Node brings, over again if too few. */
export function authorities(own: string, count: number): string[] {
  const roots = Array.from(
    { length: count - 1 },
    (_, index) => rootCertificates[index % rootCertificates.length],
  );
  return [...(roots as string[]), own];
}
