/** Helpers of the tests of the end and of the beginning of an agent. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TestContext } from 'node:test';
import { httpsServer } from '../support/server.js';
import type { Answer, TestServer } from '../support/server.js';

export const LIMIT = { timeout: 120_000 };

export interface HoldingServer extends TestServer {
  /** Requests that are not answered yet, by path, in the order in which they came. */
  readonly held: Map<string, ServerResponse>;
  /** Answers the request for `path`, or all. */
  answer(path?: string): void;
}

/** A server that answers when it is told to, with the request's path. Paths that begin with `/quick` are answered at once. */
export async function holdingServer(t: TestContext): Promise<HoldingServer> {
  const held = new Map<string, ServerResponse>();
  const server = await httpsServer(t, ({ url = '' }: IncomingMessage, res: ServerResponse) => {
    if (url.startsWith('/quick')) res.end(url);
    else held.set(url, res);
  });
  const answer = (path?: string): void => {
    for (const [url, res] of held) {
      if (path !== undefined && url !== path) continue;
      held.delete(url);
      res.end(url);
    }
  };
  return { ...server, held, answer };
}

/** Whether `promise` is settled by now. */
export async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const unsettled = {};
  return (await Promise.race([promise.catch(() => {}), Promise.resolve(unsettled)])) !== unsettled;
}

/** How a request ends: the body of the answer, or the code of the error. Listens at once. */
export async function fate(answer: Promise<Answer>): Promise<string> {
  try {
    return (await answer).body;
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}
