/** The first line of the page says in words how things are. */
import { plural } from './format.js';
import type { Host, Model, Selection } from './model.js';

export function sentence(model: Model, selection: Selection, hosts: readonly Host[]): string {
  const agents = model.selected(selection);
  if (agents.length === 0) return 'No agent is shown here.';
  if (agents.every(({ closed }) => closed)) return 'Closed: no more requests are taken.';
  const open = (['connecting', 'active', 'idle', 'closing'] as const).reduce(
    (sum, field) => sum + model.sum(selection, field),
    0,
  );
  const waiting = model.sum(selection, 'waiting');
  const connected = hosts.filter(
    ({ connecting, active, idle, closing }) => connecting + active + idle + closing > 0,
  );
  const where =
    open === 0
      ? 'No connection is open'
      : `${plural(open, 'connection')} to ${plural(connected.length, 'host')}`;
  if (waiting === 0) return `${where}. No request waits.`;
  const busiest = hosts.toSorted((a, b) => b.waiting - a.waiting)[0];
  const verb = waiting === 1 ? 'waits' : 'wait';
  const most = busiest && busiest.waiting > 0 && hosts.length > 1 ? `, most of them for ${busiest.name}` : '';
  return `${where}. ${plural(waiting, 'request')} ${verb}${busiest?.waiting === waiting && busiest ? ` for ${busiest.name}` : most}.`;
}
