/** The shapes of what is asked for a client's secret. */
import { rotation as rotationShape, secretLife as secretLifeShape } from './client-shapes.ts';
import { name } from './schema-parts.ts';

export const rotation = name('SecretRotation', rotationShape);
export const secretLife = name('NewSecret', secretLifeShape);
