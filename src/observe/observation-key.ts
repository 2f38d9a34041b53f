/**
 * The property by which an agent shows the package's other entries (metrics, the live page) more than its public surface. These entries may come from
 * another copy of the package than the agent, so all copies share the symbol. Its meaning (observation.ts) changes only together with its number.
 */
export const kObservation: unique symbol = Symbol.for('pooling-https-agent.observation.1') as never;
