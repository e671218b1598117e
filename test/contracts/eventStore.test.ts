import { eventStoreContract } from './eventStore.contract.ts';
import { dynamoWorld, simWorld } from './eventStoreWorlds.ts';

eventStoreContract('the event store in memory', simWorld);
eventStoreContract('the event store on DynamoDB', dynamoWorld);
