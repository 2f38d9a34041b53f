/**
 * A queue that stays as long as it is: each request that is answered is followed by another. Between two turns it stands still, because the responses of the requests in
 * use are not read. So the cost of requests with many waiting is measured by itself, and in turn with that of others.
 */
import type { Client, Pass } from './contenders/contender.js';

export class StandingQueue {
  readonly #client: Client;
  readonly #sockets: number;
  /** Responses that are to be read in this turn. */
  #left = 0;
  #held: (() => void)[] = [];
  #settle: { resolve: () => void; reject: (error: Error) => void } | undefined;
  #isClosed = false;

  private constructor(client: Client, sockets: number) {
    this.#client = client;
    this.#sockets = sockets;
  }

  /** @param client one with that limit of sockets */
  static async start(client: Client, sockets: number, waiting: number): Promise<StandingQueue> {
    const queue = new StandingQueue(client, sockets);
    const opened = queue.turn(0);
    for (let i = 0; i < sockets + waiting; i++) void queue.#send();
    await opened;
    return queue;
  }

  /** Ends when as many responses have been read, and there is one to be read on every socket. */
  turn(requests: number): Promise<void> {
    const done = new Promise<void>((resolve, reject) => (this.#settle = { resolve, reject }));
    this.#left = requests;
    const held = this.#held;
    this.#held = [];
    for (const read of held) this.#pass(read);
    return done;
  }

  close(): void {
    this.#isClosed = true;
    this.#client.close();
  }

  /** Hot path. */
  #pass: Pass = (read) => {
    if (this.#left > 0) {
      this.#left--;
      read();
    } else if (this.#held.push(read) === this.#sockets) {
      this.#settle?.resolve();
    }
  };

  /** Sends requests, one after the other. */
  async #send(): Promise<void> {
    const { getHeld } = this.#client;
    if (!getHeld) throw new Error('This contender holds no responses');
    try {
      while (!this.#isClosed) await getHeld('localhost', this.#pass);
    } catch (error) {
      if (!this.#isClosed) this.#settle?.reject(error as Error);
    }
  }
}
