/** The outcomes of an agent's requests in a phase, those that warmed it up included. Each counts once. */
export type Method = 'GET' | 'POST';

export class Outcomes {
  readonly sent: Record<Method, number> = { GET: 0, POST: 0 };
  /** Requests that ended with ECONNRESET: it is what callers see of a connection that a server has closed. */
  readonly resets: Record<Method, number> = { GET: 0, POST: 0 };
  /** Requests that ended with any other error. */
  readonly otherErrors: Record<Method, number> = { GET: 0, POST: 0 };
  answered = 0;
  /** Requests that were given the answer to another request, or one that no request had asked for. */
  astray = 0;
  /** Requests that had neither an answer nor an error when nothing happened any more. */
  unended = 0;

  /** Requests that ended with an error. */
  get failed(): number {
    return sum(this.resets) + sum(this.otherErrors);
  }

  get total(): number {
    return sum(this.sent);
  }

  /** No end, the answer to another request, or an error of a request that could have been sent again. A POST that fails is not lost: its caller has to decide. */
  get lost(): number {
    return this.astray + this.unended + this.resets.GET + this.otherErrors.GET;
  }
}

function sum({ GET, POST }: Record<Method, number>): number {
  return GET + POST;
}
