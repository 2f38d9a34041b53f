/** Variables of the environment that a test changes. */
import type { TestContext } from 'node:test';

/** The variable `name` gets its present value back after the test. */
export function restoreVariable(t: TestContext, name: string): void {
  const before = process.env[name];
  t.after(() => {
    if (before === undefined) Reflect.deleteProperty(process.env, name);
    else process.env[name] = before;
  });
}
