/** The list of CA certificates that clients trust. */
import { rootCertificates } from 'node:tls';

/** `count` PEM certificates: the server's own and, before it, the roots that Node brings, over again if too few. */
export function authorities(own: string, count: number): string[] {
  const roots = Array.from(
    { length: count - 1 },
    (_, index) => rootCertificates[index % rootCertificates.length],
  );
  return [...(roots as string[]), own];
}
