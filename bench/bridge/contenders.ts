/** Every contender by the name it has in the tables. */
import { copyOurs, copySdk, publishLibrary, publishOurs } from './otherContenders.ts';
import { consumeAndSdk, consumeNoSend, oneByOneAndSdk } from './peerContenders.ts';
import { latency, noSend, ours, sendOnly } from './pipelineContenders.ts';
import { type Contender, lean, sdk } from './round.ts';

export const contenders: Readonly<Record<string, Contender>> = {
  'bridge, explicit': ours('explicit', lean),
  'bridge, watermark': ours('watermark', lean),
  'bridge, AWS SDK': ours('explicit', sdk),
  'consume() + AWS SDK': consumeAndSdk,
  'one at a time + AWS SDK': oneByOneAndSdk,
  'no send, explicit': noSend('explicit'),
  'no send, watermark': noSend('watermark'),
  'consume(), no send': consumeNoSend,
  'send only': sendOnly,
  'publish, ours': publishOurs,
  'js.publish, 256 at a time': publishLibrary,
  'stream to table, ours': copyOurs,
  'stream to table, AWS SDK': copySdk,
  latency,
};
