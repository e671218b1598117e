/**
 * `npm run reference`: writes what documents have from the code, docs/switchback.schema.json and the table of
 * rights in docs/security.md. A test holds both to the code.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { compileConfiguration } from '../configure/compile.ts';
import { configurationSchema } from '../configure/schema.ts';
import { iamTable } from './iamTable.ts';
import { readStage } from './stage.ts';

const schemaPath = 'docs/switchback.schema.json';
const securityPath = 'docs/security.md';

writeFileSync(schemaPath, `${JSON.stringify(configurationSchema(), null, 2)}\n`);
const configuration = await compileConfiguration('examples/mistersmith/switchback.yml', 'prod');
const table = iamTable({ stage: readStage('.', 'prod'), configuration, dist: 'dist', variables: {} });
const text = readFileSync(securityPath, 'utf8');
const marked = /(<!-- rights: .* -->\n)[\s\S]*?(<!-- end of rights -->)/;
if (!marked.test(text)) throw new Error(`${securityPath} has lost the marks around the table of rights`);
writeFileSync(
  securityPath,
  text.replace(marked, (_, begin, end) => `${begin}${table}\n${end}`),
);
console.log(`${schemaPath} and the table in ${securityPath} are written`);
