/** The names under which the demo's server is asked. */
export const hosts = ['a.localhost', 'b.localhost', 'c.localhost', 'd.localhost'] as const;
