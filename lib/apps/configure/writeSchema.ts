/** `npm run schema`: writes docs/switchback.schema.json, which the first line of a switchback.yml names. */
import { writeFileSync } from 'node:fs';
import { configurationSchema } from './schema.ts';

const path = 'docs/switchback.schema.json';
writeFileSync(path, `${JSON.stringify(configurationSchema(), null, 2)}\n`);
console.log(`${path} is written`);
