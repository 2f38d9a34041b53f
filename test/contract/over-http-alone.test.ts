/** Tests of this folder that share a process with no others, over `http:`: the first comes before the package is loaded, and the last leaves mocked requests behind. */
import '../support/over-http.js';

await import('./interception.test.js');
await import('./faked-ticks.test.js');
await import('./patching.test.js');
