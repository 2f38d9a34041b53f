// For mutation testing: a random test that has failed has done its work. To look for the smallest case takes far longer.
import fc from 'fast-check';

fc.configureGlobal({ endOnFailure: true });
