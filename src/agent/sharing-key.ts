/** Marks the options of agents that are made to share a pool. Nobody else can name it. */
export const kSharing: unique symbol = Symbol('pooling-https-agent.sharing');
