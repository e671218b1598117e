/** SQS batches: every entry succeeds or fails for itself. */
import { ServiceError } from '../service.ts';
import { batchEntriesMax } from './queueAttributes.ts';

type Entry = { readonly Id?: string | undefined };

/** The batch's answer. @throws ServiceError when the batch as a whole is refused */
export function batchOf<E extends Entry>(entries: readonly E[], perform: (entry: E) => object) {
  const ids = entries.map((entry) => entry.Id ?? '');
  if (entries.length === 0)
    throw new ServiceError('EmptyBatchRequest', 'There should be at least one entry in the request.');
  if (entries.length > batchEntriesMax) {
    const sentence = `Maximum number of entries per request are ${batchEntriesMax}.`;
    throw new ServiceError('TooManyEntriesInBatchRequest', `${sentence} You have sent ${entries.length}.`);
  }
  const repeated = ids.find((id, index) => ids.indexOf(id) !== index);
  if (repeated !== undefined) throw new ServiceError('BatchEntryIdsNotDistinct', `Id ${repeated} repeated.`);
  if (!ids.every((id) => /^[\w-]{1,80}$/.test(id))) {
    const sentence =
      'A batch entry id can only contain alphanumeric characters, hyphens and underscores, 80 at most.';
    throw new ServiceError('InvalidBatchEntryId', sentence);
  }
  const Successful: object[] = [];
  const Failed: object[] = [];
  for (const entry of entries) {
    try {
      Successful.push({ Id: entry.Id, ...perform(entry) });
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      Failed.push({ Id: entry.Id, SenderFault: true, Code: error.name, Message: error.message });
    }
  }
  return { Successful, Failed };
}
