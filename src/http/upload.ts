/** Forms that bring a file: their fields first, then the file as a stream, however long it is. */
import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import type { Readable } from 'node:stream';
import type { BusboyInstance } from '@fastify/busboy';
import type { Context, Middleware } from 'koa';
import { invalidInput, tooLarge } from '../kernel/errors.ts';
import { readForm } from './body.ts';

export interface UploadedFile {
  /** As its sender calls it; empty where none was chosen. */
  name: string;
  /** Media type, as its sender says. */
  type: string;
  stream: Readable;
}

type Fields = Record<string, string | string[]>;

const MULTIPART = /^multipart\/form-data\s*;/i;
/** What stands before the file: a few short fields. */
const MOST_BEFORE = 64 * 1024;
const LIMITS = {
  parts: 20,
  fields: 20,
  files: 1,
  fieldNameSize: 100,
  fieldSize: 8 * 1024,
  headerPairs: 20,
  headerSize: 4 * 1024,
};

const FILES = new WeakMap<Context, UploadedFile>();

/** The file of a form that `readUpload` has read; undefined where it brought none. Whoever does not want it leaves it. */
export const uploadedFile = (ctx: Context): UploadedFile | undefined => FILES.get(ctx);

const cutOff = () => invalidInput('the file was cut off');
const unreadable = () => invalidInput('The form could not be read.');
const formTooLarge = () => tooLarge('The form is too large.');

async function parserFor(req: IncomingMessage): Promise<BusboyInstance> {
  const { Busboy } = await import('@fastify/busboy');
  try {
    return new Busboy({ headers: req.headers as { 'content-type': string }, limits: LIMITS });
  } catch {
    throw unreadable();
  }
}

/**
 * Reads up to the file, or to the end where there is none. What comes after the file is left alone: whatever was decided by the
 * fields is not decided by another one later.
 * @throws invalid_input for what is no form, too_large past the limits above.
 */
async function begin(req: IncomingMessage): Promise<{ fields: Fields; file: UploadedFile | undefined }> {
  const parser = await parserFor(req);
  const fields = Object.create(null) as Fields;
  const stream = new PassThrough();
  // Where nobody reads it, nobody hears of its end.
  stream.on('error', () => undefined);
  return new Promise((resolve, reject) => {
    let begun = false;
    let read = 0;
    const fail = (error: Error) => {
      reject(error);
      stream.destroy(begun ? cutOff() : error);
    };
    const tooMany = () => {
      if (!begun) fail(formTooLarge());
    };
    const measure = (chunk: Buffer) => {
      if (read > MOST_BEFORE) fail(formTooLarge());
      read += chunk.length;
    };
    const end = (file?: UploadedFile) => {
      begun = true;
      req.off('data', measure);
      resolve({ fields, file });
    };
    parser
      .on('field', (name, value, _nameCut, valueCut) => {
        if (begun) return;
        if (valueCut) return fail(formTooLarge());
        // What is sent twice is a list, which `field` takes for nothing.
        fields[name] = name in fields ? [fields[name]!, value].flat() : value;
      })
      .on('file', (_field, source, name, _encoding, type) => {
        source.on('error', fail);
        source.pipe(stream);
        end({ name: name ?? '', type, stream });
      })
      .on('partsLimit', tooMany)
      .on('fieldsLimit', tooMany)
      .on('error', () => fail(unreadable()))
      .on('finish', () => end());
    req.once('close', () => {
      if (!req.complete) fail(cutOff());
    });
    req.on('data', measure).pipe(parser);
  });
}

/** Reads a form whose last field is a file: the fields for `field`, the file for `uploadedFile`. Other forms are read as ever. */
export function readUpload(): Middleware {
  const readPlain = readForm();
  return async (ctx, next) => {
    if (!MULTIPART.test(ctx.get('Content-Type'))) return void (await readPlain(ctx, next));
    try {
      const { fields, file } = await begin(ctx.req);
      ctx.request.body = fields;
      if (file) FILES.set(ctx, file);
      await next();
    } finally {
      // What nobody reads would hold the connection up.
      ctx.req.unpipe();
      ctx.req.resume();
    }
  };
}
