/** A server's side of a connection that it closes when it was idle for a second, without having said so. */
import type { TLSSocket } from 'node:tls';

/** Milliseconds. */
export const IDLE_TIME = 1000;

/** Answers each request on `socket`, which comes in one piece. */
export function closeWhenIdle(socket: TLSSocket): void {
  const end = setTimeout(() => socket.end(), IDLE_TIME);
  socket.on('data', () => {
    end.refresh();
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  });
  socket.on('close', () => clearTimeout(end));
  socket.on('error', () => {});
}
