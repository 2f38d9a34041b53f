/** The property under which an agent has its pool. Internal: for this package, and its own tests. */
export const kPool: unique symbol = Symbol('pooling-https-agent.pool');
