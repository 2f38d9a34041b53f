/** `https.request` over an agent, as users write it: a new, minimal options object for every request. */
import type { ClientRequest, IncomingMessage } from 'node:http';
import { request } from 'node:https';
import type { Agent } from 'node:https';
import type { Client, ClientSettings } from './contender.js';

type OnResponse = (response: IncomingMessage) => void;

export function agentClient(agent: Agent, { port, ca, caPerRequest }: ClientSettings): Client {
  // One array for all requests, as in a program that has read its certificates once.
  const authorities = [...ca];
  const send = caPerRequest
    ? (host: string, onResponse: OnResponse): ClientRequest =>
        request({ host, port, path: '/', agent, ca: authorities }, onResponse)
    : (host: string, onResponse: OnResponse): ClientRequest =>
        request({ host, port, path: '/', agent }, onResponse);
  return {
    get: (host) =>
      new Promise((resolve, reject) => {
        const req = send(host, (response) => {
          response.resume();
          response.on('end', resolve);
          response.on('error', reject);
        });
        req.on('error', reject);
        req.end();
      }),
    send: ({ host, method, path, headers, body }) =>
      new Promise((resolve, reject) => {
        const req = request({ host, port, path, method, headers: { ...headers }, agent }, (response) => {
          response.resume();
          response.on('end', () => resolve({ headers: response.headers, reused: req.reusedSocket }));
          response.on('error', reject);
        });
        req.on('error', reject);
        req.end(body);
      }),
    close: () => agent.destroy(),
  };
}
