/** QR codes as SVG without style or script, as the Content-Security-Policy wants it: dark on light, whatever the page is. */

/** Modules of light around the code, which readers need (ISO/IEC 18004). */
const BORDER = 4;

/** @returns markup to be put into a page as it is: it holds nothing of the text itself. */
export async function qrSvg(text: string): Promise<string> {
  const { encode } = await import('uqr');
  const { data, size } = encode(text, { ecc: 'M', border: BORDER });
  const dark = data.flatMap((row, y) => row.flatMap((on, x) => (on ? [`M${x} ${y}h1v1h-1z`] : [])));
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size} ${size}" shape-rendering="crispEdges" aria-hidden="true" focusable="false">` +
    `<rect width="${size}" height="${size}" fill="#fff"/><path fill="#000" d="${dark.join('')}"/></svg>`
  );
}
