/** Reads server-sent events, as the page does. */
import { get } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { TestContext } from 'node:test';

interface Event {
  readonly event: string;
  readonly id: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- the tests know what they look for
  readonly data: any;
}

export interface Stream {
  readonly res: IncomingMessage;
  /** The next event; of that name, if one is given. */
  readonly next: (name?: string) => Promise<Event>;
  readonly close: () => void;
}

/** @param url with its query */
export function openStream(
  t: TestContext,
  url: string,
  headers: Record<string, string> = {},
): Promise<Stream> {
  return new Promise((resolve, reject) => {
    const req = get(url, { headers, agent: false }, (res) => {
      const events: Event[] = [];
      let wake: (() => void) | undefined;
      let text = '';
      let hasEnded = false;
      res.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        const blocks = text.split('\n\n');
        text = blocks.pop() ?? '';
        events.push(...blocks.map(parse));
        wake?.();
      });
      res.on('error', () => {});
      res.on('close', () => {
        hasEnded = true;
        wake?.();
      });
      const next = async (name?: string): Promise<Event> => {
        for (;;) {
          const event = events.shift();
          if (event && (name === undefined || event.event === name)) return event;
          if (event) continue;
          if (hasEnded) throw new Error('The stream has ended');
          await new Promise<void>((resume) => (wake = resume));
        }
      };
      resolve({ res, next, close: () => req.destroy() });
    });
    t.after(() => req.destroy());
    req.on('error', reject);
  });
}

function parse(block: string): Event {
  const fields = Object.fromEntries(
    block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
  );
  return { event: fields['event'] ?? '', id: fields['id'] ?? '', data: JSON.parse(fields['data'] ?? 'null') };
}
