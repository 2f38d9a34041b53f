/** Numbers and durations, short enough for a table. */

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

/** At most five characters or so: 1,234, 12.3K. */
export function count(value: number): string {
  return Math.abs(value) < 10_000 ? whole.format(value) : compact.format(value);
}

/** Per second. */
export function rate(value: number): string {
  if (value === 0) return '0';
  if (value < 0.1) return '<0.1';
  return value < 10 ? value.toFixed(1) : count(value);
}

export function share(part: number, all: number): string {
  if (all <= 0) return '–';
  const percent = (100 * part) / all;
  // Nearly all is not all.
  if (percent > 99 && percent < 100) return `${Math.min(99.9, Math.round(percent * 10) / 10)} %`;
  return `${Math.round(percent)} %`;
}

const UNITS = [
  { size: 86_400_000, name: 'd' },
  { size: 3_600_000, name: 'h' },
  { size: 60_000, name: 'min' },
] as const;

/** Two digits that count, of milliseconds. */
export function duration(ms: number): string {
  if (ms < 0) return '–';
  if (ms === 0) return '0';
  if (ms < 1) return `${Math.max(1, Math.round(ms * 1000))} µs`;
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 60_000) return `${Math.round(ms / 1000)} s`;
  const { size, name } = UNITS.find((unit) => ms >= unit.size) ?? UNITS[2];
  const value = ms / size;
  return `${value < 10 ? value.toFixed(1).replace(/\.0$/, '') : Math.round(value)} ${name}`;
}

/** `1 host`, `2 hosts`. */
export function plural(number: number, noun: string): string {
  return `${count(number)} ${noun}${number === 1 ? '' : 's'}`;
}
