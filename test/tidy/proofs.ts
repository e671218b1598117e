import { agreementProofs, documentProofs, sampleProofs } from './agreementProofs.ts';
import { banProofs } from './banProofs.ts';
import type { Proof } from './proof.ts';
import { lengthProofs, moduleProofs, nameProofs } from './shapeProofs.ts';

export const proofs: Readonly<Record<string, Proof>> = {
  ...banProofs,
  ...nameProofs,
  ...lengthProofs,
  ...moduleProofs,
  ...documentProofs,
  ...agreementProofs,
  ...sampleProofs,
};
