/** What pages and mails look like: themes and the brand. */
import { z } from 'zod';
import { httpUrl } from './values.ts';

const cssColor = z.string().regex(/^#[0-9a-f]{6}$/i, 'must be a colour like #3f4fd8');

export const look = {
  themes_dir: z.string().min(1).default('./themes').meta({
    description: 'Folder of the themes; a client may have one of its own.',
  }),
  brand: z
    .strictObject({
      name: z.string().min(1).max(60).default('Gatehouse').meta({ description: 'Product name on every page.' }),
      logo: z.string().optional().meta({ description: 'Path of a PNG, JPEG or WebP file shown as our mark.' }),
      theme: z
        .string()
        .optional()
        .meta({ description: 'Name of a theme, a folder in `themes_dir`, for all pages and mails.' }),
      accent: cssColor.optional().meta({ description: 'Accent colour in light mode, like `#3f4fd8`.' }),
      accent_dark: cssColor.optional().meta({ description: 'Accent colour in dark mode.' }),
      privacy_url: httpUrl.optional().meta({ description: 'Link to the privacy policy in the footer.' }),
      terms_url: httpUrl.optional().meta({ description: 'Link to the terms in the footer.' }),
      locale: z.string().min(1).default('en').meta({
        description:
          'Language of pages and mails where app, browser and person ask for none that there is: the name of a file in `locales/`, such as `de`.',
      }),
    })
    .prefault({}),
};
