/** Requests as a raw server reads them off its sockets, and responses as it writes them. */
import type { TLSSocket } from 'node:tls';

export function response(body: string): string {
  return `HTTP/1.1 200 OK\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

/** Calls `answer` for each request that has come in whole. */
export function onRequest(answer: (socket: TLSSocket, path: string) => void): (socket: TLSSocket) => void {
  return (socket) => {
    let text = '';
    socket.on('data', (data: Buffer) => {
      text += data.toString('latin1');
      for (;;) {
        const end = text.indexOf('\r\n\r\n');
        if (end === -1) return;
        const path = /^\S+ (\S+)/.exec(text)?.[1] ?? '';
        text = text.slice(end + 4);
        answer(socket, path);
      }
    });
  };
}
