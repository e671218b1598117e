/** The answer of a batch operation that names its entries, with the MD5 that the SDK checks. */
import { hash } from 'node:crypto';

export type Outcome = {
  readonly id: string;
  readonly code: string | null;
  readonly messageId: string;
  readonly body: string;
};

export function namedAnswer(outcomes: readonly Outcome[]): { Successful: object[]; Failed: object[] } {
  const Successful = outcomes
    .filter(({ code }) => code === null)
    .map(({ id, messageId, body }) => ({
      Id: id,
      MessageId: messageId,
      MD5OfMessageBody: hash('md5', body),
    }));
  const Failed = outcomes
    .filter(({ code }) => code !== null)
    .map(({ id, code }) => ({
      Id: id,
      Code: code,
      Message: code,
      SenderFault: code === 'InvalidMessageContents',
    }));
  return { Successful, Failed };
}
