/**
 * What DynamoDB's prices and limits make of a stream's items. All appends of a stream go through its HEAD
 * item, and each one is paid for by the whole item, in steps of 1 KB; so HEAD stays small and history moves
 * to chunks. Bytes are bytes as stored: longer texts are stored compressed.
 */

/** HEAD after an ordinary append: four write units. */
export const headBytesMax = 4096;
/** HEAD after an urgent append, which leaves a full tail for `compact`; and the most that is ever written. */
export const headBytesUrgentMax = 8192;
export const tailEventsMax = 16;
/** A reader that starts in the middle of a chunk finds it by this bound. */
export const chunkEventsMax = 50;
export const eventBytesMax = 1024;
/** Repeated commands are recognised among this many of the newest; older ones meet the expected version. */
export const commandsKept = 16;
/** One block of minutes, compressed; an item may have 400 KB. */
export const minutesBytesMax = 300 * 1024;
