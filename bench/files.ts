/** Open files: each connection is one. */
import { ConfigurationError } from './configuration-error.js';

/** The files that a process needs besides its connections. */
const OTHER_FILES = 200;

/** How many files a process may have open, as far as the system tells. */
function openFilesLimit(): number {
  const report = process.report.getReport() as { userLimits?: { open_files?: { soft?: unknown } } };
  const limit = report.userLimits?.open_files?.soft;
  return typeof limit === 'number' ? limit : Infinity;
}

/**
 * @param whatElse what a user can do besides raising the limit
 * @throws `ConfigurationError` if a process may not have that many connections
 */
export function needConnections(count: number, whatElse: string): void {
  const limit = openFilesLimit();
  if (count + OTHER_FILES <= limit) return;
  throw new ConfigurationError(
    `${count} connections need as many open files and some more, and ${limit} are allowed: see "ulimit -n", or use ${whatElse}`,
  );
}
