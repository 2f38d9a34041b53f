/**
 * `agent.lend()`: the agent, for client libraries that end the agent that they were given (AWS, elastic, msw), and would end the requests of all
 * others. Methods that close connections do nothing on it. Everything else is the agent's: properties are read and written there, and listeners
 * are added there.
 */

const done = (): Promise<void> => Promise.resolve();
const nothing = (): void => {};

/** The methods that only the owner of an agent may call. */
const HARMLESS = methods({
  destroy: nothing,
  close: done,
  [Symbol.asyncDispose]: done,
  closeIdleConnections: nothing,
  closeAllConnections: nothing,
});

const lenders = new WeakMap<object, object>();

/** @param base the prototype whose methods, and those that it inherits, work on a proxy of an agent as well as on the agent */
export function lend<T extends object>(agent: T, base: object): T {
  const lender = (lenders.get(agent) as T | undefined) ?? agent;
  const view = new Proxy(lender, new Loan(lender, base));
  lenders.set(view, lender);
  return view;
}

type Method = (this: unknown, ...args: unknown[]) => unknown;

class Loan<T extends object> implements ProxyHandler<T> {
  readonly #agent: T;
  readonly #base: object;
  /** Functions with which a borrower replaces these methods hold for that borrower only. */
  readonly #harmless = Object.create(HARMLESS) as object;
  readonly #bound = new WeakMap<Method, Method>();

  constructor(agent: T, base: object) {
    this.#agent = agent;
    this.#base = base;
  }

  /** Hot path. */
  get(agent: T, key: PropertyKey): unknown {
    if (key in HARMLESS) return Reflect.get(this.#harmless, key);
    const value: unknown = Reflect.get(agent, key);
    if (typeof value !== 'function' || key === 'constructor') return value;
    if (value === Reflect.get(this.#base, key) || Object.hasOwn(agent, key)) return value;
    return this.#bind(value as Method);
  }

  set(agent: T, key: PropertyKey, value: unknown): boolean {
    return Reflect.set(key in HARMLESS ? this.#harmless : agent, key, value);
  }

  defineProperty(agent: T, key: PropertyKey, descriptor: PropertyDescriptor): boolean {
    return Reflect.defineProperty(key in HARMLESS ? this.#harmless : agent, key, descriptor);
  }

  deleteProperty(agent: T, key: PropertyKey): boolean {
    return Reflect.deleteProperty(key in HARMLESS ? this.#harmless : agent, key);
  }

  /** Tools that replace a method by a spy read the original here. */
  getOwnPropertyDescriptor(agent: T, key: PropertyKey): PropertyDescriptor | undefined {
    if (!(key in HARMLESS) || !Object.isExtensible(agent))
      return Reflect.getOwnPropertyDescriptor(agent, key);
    return (
      Reflect.getOwnPropertyDescriptor(this.#harmless, key) ?? Reflect.getOwnPropertyDescriptor(HARMLESS, key)
    );
  }

  /** A method of a subclass may use private fields, which a proxy does not have: it is called on the agent. */
  #bind(method: Method): Method {
    let bound = this.#bound.get(method);
    if (!bound) {
      bound = new Proxy(method, {
        apply: (called, self, args) => {
          const isView = typeof self === 'object' && self !== null && lenders.get(self) === this.#agent;
          const result = Reflect.apply(called, isView ? this.#agent : self, args);
          return isView && result === this.#agent ? self : result;
        },
      });
      this.#bound.set(method, bound);
    }
    return bound;
  }
}

/** Makes methods like those of a class: not enumerable. */
function methods(functions: object): object {
  const bare = Object.create(null) as object;
  for (const key of Reflect.ownKeys(functions)) {
    const value: unknown = Reflect.get(functions, key);
    Object.defineProperty(bare, key, { configurable: true, enumerable: false, value, writable: true });
  }
  return bare;
}
