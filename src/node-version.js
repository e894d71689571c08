/** An older Node does not get as far as saying what is wrong: this is looked at before anything that it cannot read. */
import process from 'node:process';

/** The first that reads TypeScript and brings SQLite without being asked to. */
const LEAST = 24;

if (Number(process.versions.node.split('.')[0]) < LEAST) {
  process.stderr.write(
    `Gatehouse needs Node ${LEAST} or newer, and this is ${process.versions.node}. ` +
      '`npm ci` installs one, which `npm start` and `npm run gatehouse` use.\n',
  );
  process.exit(1);
}
