/** Warnings of the process while a test runs. */
import type { TestContext } from 'node:test';

/** @returns all that are emitted from now on to the end of the test, in order. Node emits each in a later tick. */
export function warningsDuring(t: TestContext): (Error & { code?: string })[] {
  const warnings: (Error & { code?: string })[] = [];
  const note = (warning: Error): void => void warnings.push(warning);
  process.on('warning', note);
  t.after(() => process.removeListener('warning', note));
  return warnings;
}
