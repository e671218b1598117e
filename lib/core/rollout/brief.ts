/**
 * A sentence as events keep it: 300 characters are enough for a reason, and an event stays under 1 KB. A character
 * cut in half would not survive the store, and the hash chain with it.
 */
export const brief = (sentence: string): string => sentence.slice(0, 300).toWellFormed();
