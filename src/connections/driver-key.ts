/** Where an agent has its driver. Internal: for this package, and its own tests. */
export const kDriver: unique symbol = Symbol('pooling-https-agent.driver');
