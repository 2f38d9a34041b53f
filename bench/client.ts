/** A client's process: one contender in one case. */
import { loadCase } from './cases/index.js';
import type { CaseName } from './cases/index.js';
import type { Case, Setting, Subject } from './cases/case.js';
import type { Contender } from './contenders/contender.js';
import { loadContender } from './contenders/index.js';
import type { ContenderName } from './contenders/index.js';
import { answer } from './ipc.js';
import { collectGarbage } from './measure.js';
import type { Target } from './network.js';
import type { Sample } from './results.js';

export interface LoadRequest {
  readonly case: CaseName;
  readonly contender: ContenderName;
  readonly target: Target;
}

interface Loaded {
  readonly case: Case;
  readonly contender: Contender;
  readonly name: ContenderName;
  readonly target: Target;
}

let loaded: Loaded | undefined;
let subject: Subject | undefined;

async function closeSubject(): Promise<void> {
  await subject?.close();
  subject = undefined;
}

answer({
  async load({ target, ...names }: LoadRequest): Promise<void> {
    loaded = {
      case: await loadCase(names.case),
      contender: await loadContender(names.contender),
      name: names.contender,
      target,
    };
    await loaded.case.warmUp?.(loaded.contender, target);
  },

  async prepare(setting: Setting): Promise<void> {
    if (!loaded) throw new Error('Nothing is loaded');
    await closeSubject();
    collectGarbage();
    subject = await loaded.case.prepare(loaded.contender, setting, loaded.target, loaded.name);
  },

  sample(): Promise<Sample> | Sample {
    if (!subject) throw new Error('Nothing is prepared');
    return subject.sample();
  },

  close: closeSubject,
});
