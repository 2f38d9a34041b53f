/**
 * Where an agent shows the package's other entries (metrics, the live page) more of itself than its public surface. They may be of another copy of the
 * package than the agent, so all copies share the symbol; what is meant by it (observation.ts) changes only together with its number.
 */
export const kObservation: unique symbol = Symbol.for('pooling-https-agent.observation.1') as never;
