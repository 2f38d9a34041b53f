// The tools that `npm run check:loads` installs, each group in a folder of its own: those that people load the package with, pinned.

export const GROUPS = {
  jest29: {
    jest: '29.7.0',
    'ts-jest': '29.4.5',
    typescript: '5.9.3',
    '@types/jest': '29.5.14',
    '@types/node': '20.19.43',
  },
  jest30: {
    jest: '30.5.2',
    'ts-jest': '29.4.5',
    typescript: '5.9.3',
    '@types/jest': '30.0.0',
    '@types/node': '20.19.43',
  },
  tools: {
    vitest: '4.1.12',
    mocha: '11.7.5',
    esbuild: '0.28.2',
    webpack: '5.104.1',
    rollup: '4.68.8',
    '@rollup/plugin-node-resolve': '16.0.3',
    '@rollup/plugin-commonjs': '29.0.0',
    '@vercel/ncc': '0.38.4',
  },
  types20: { '@types/node': '20.19.43' },
  types22: { '@types/node': '22.20.7' },
  types24: { '@types/node': '24.19.4' },
  types26: { '@types/node': '26.6.7' },
  clients: {
    axios: '1.21.1',
    got: '14.6.6',
    ws: '8.23.0',
    '@types/ws': '8.18.1',
    '@types/node': '22.20.7',
    '@smithy/node-http-handler': '4.14.2',
  },
  typescript: {
    'ts-5.0': 'npm:typescript@5.0.4',
    'ts-5.4': 'npm:typescript@5.4.5',
    'ts-5.9': 'npm:typescript@5.9.3',
    'ts-6': 'npm:typescript@6.0.3',
    'ts-7': 'npm:typescript@7.0.2',
  },
};
/** Installed with their binaries, and skipped where that does not work. */
export const OPTIONAL_GROUPS = { bun: { bun: '1.3.3' }, deno: { deno: '2.5.6' } };
