import { describe, expect, it } from 'vitest';
import { hashProblem, matchesForeign } from '../../src/accounts/foreign-hashes.ts';

const PASSWORD = 'grün 🐢 tr0ubadour';

/** Made by the programs themselves, of one password, at a low cost. */
const HASHES = {
  'passlib bcrypt 2b': '$2b$05$G8tPWOZ5IwvhmtNh4m5bR.78ioQGG94fO.nOmTs.8EqfM5QEDn4YK',
  'passlib bcrypt 2a': '$2a$05$825KQy0Ru1m1ZUH8TMpdSubYEIWk9219xzTBTK31S7otBAQNcq/Ca',
  'passlib bcrypt 2y': '$2y$05$Yi6A5GnkvIMq/273Tqii6.ZoM2iUfj4p.AVTWkXlbgKVhkRL8C1LK',
  'passlib pbkdf2 sha256': '$pbkdf2-sha256$500$8z7n/D.nFOL83zuHUOodAw$6905hTt0FQsR1/6dQYZjm0uquNHxd6SOkwcc3GwHupY',
  'passlib pbkdf2 sha512':
    '$pbkdf2-sha512$500$vRci5HzPec/Zu9e6F8LYmw$gdRPCt0i.qPSJQ7mTx57QhBhUn3EWtd0mEJbRpUHoqbDTT.CIkYExesSzuwvVNN9C2TgAqWW/ciKzpT4/bx1TA',
  'passlib pbkdf2 sha1': '$pbkdf2$500$qvVeq9V6jxGitHauNaYUYg$4H1MXij1p6wbUHdtimXvz0xNXpI',
  'passlib scrypt': '$scrypt$ln=8,r=8,p=1$lTLGmLP2vrdWaq11rnUuxQ$v8V81l8NpLm2np0davbUxC7I01ZFI+xWdEj2ZRGWFGc',
  'argon2-cffi argon2id':
    '$argon2id$v=19$m=1024,t=1,p=1$R4gxJkSotRbiHMNYSwmhFA$aQb7iwmlCOuNfeNNiEOFo66TYmTKJKXHYFc/O9p/0p4',
  'argon2-cffi argon2i':
    '$argon2i$v=19$m=1024,t=1,p=1$2bs3JoTwPqcUwnhP6b13Tg$idk+rPEV/Jx4M+4Io4IfrDndqtF1VFE7jw+mMddj8OQ',
  'werkzeug scrypt':
    'scrypt:256:8:1$8ugZvHVX0iThLh6n$416ea3a47914c0c9424189d3c445638dcbe50fa9ea94d49d5b067d5532c97ee172a60ebaef9979b8b767250e6466f22688855c8c354a0018361769242a7d3d2c',
  'werkzeug pbkdf2':
    'pbkdf2:sha256:500$FF98lgXYpBi5Bpqq$efe36ea515e1716b67c5111bc0a3817b3d2c90626160c15ba96fcb92254d4963',
  'django pbkdf2': 'pbkdf2_sha256$500$saltsaltsaltsalt$s+k02LfIOy5pL1FNhl05FGNh03ymH8EVcrhSArGcDWY=',
  'django argon2':
    'argon2$argon2id$v=19$m=1024,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$I1oKoD8btwTYaSef5WdPRFqbxXRyurUIBqE5ttSVviU',
};

describe('a password hash of another system', () => {
  it.each(Object.entries(HASHES))('by %s is right for its password and no other', async (_maker, hash) => {
    expect(hashProblem(hash)).toBeUndefined();
    expect(await matchesForeign(PASSWORD, hash)).toBe(true);
    expect(await matchesForeign(`${PASSWORD}x`, hash)).toBe(false);
    expect(await matchesForeign('', hash)).toBe(false);
  });

  it.each([
    ['has rounds 31, more than', '$2b$31$abcdefghijklmnopqrstuvabcdefghijklmnopqrstuvwxyz01234'],
    ['has memory 4194304, more than', '$argon2id$v=19$m=4194304,t=1,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA'],
    ['has passes 1000, more than', '$argon2id$v=19$m=1024,t=1000,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA'],
    ['has lanes 200, more than', '$argon2id$v=19$m=1024,t=1,p=200$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA'],
    ['needs more than the 256 MiB', '$scrypt$ln=24,r=8,p=1$c2FsdA$aGFzaGhhc2hoYXNoaGFzaA'],
    ['needs more than the 256 MiB', '$scrypt$ln=99,r=8,p=1$c2FsdA$aGFzaGhhc2hoYXNoaGFzaA'],
    ['has parallelism 4000, more than', '$scrypt$ln=4,r=8,p=4000$c2FsdA$aGFzaGhhc2hoYXNoaGFzaA'],
    ['has a cost that is no power of two', `scrypt:1000:8:1$salt$${'ab'.repeat(32)}`],
    ['has iterations 999999999, more than', '$pbkdf2-sha256$i=999999999$c2FsdA$aGFzaGhhc2hoYXNoaGFzaA'],
    ['has no valid iterations', 'pbkdf2_sha256$0$salt$aGFzaGhhc2hoYXNoaGFzaA=='],
    ['has a key of 3 bytes', '$pbkdf2-sha256$1000$c2FsdA$AAAA'],
    ['is in none of the known forms', '$pbkdf2-md5$1000$c2FsdA$aGFzaGhhc2hoYXNoaGFzaA'],
    ['is in none of the known forms', '$1$salt$hash'],
    ['is in none of the known forms', '5f4dcc3b5aa765d61d8327deb882cf99'],
    ['is in none of the known forms', 'correct horse battery'],
    ['is in none of the known forms', ''],
    ['is in none of the known forms', `$pbkdf2-sha256$1000$c2FsdA$${'A'.repeat(2000)}`],
  ])('that %s … is refused in words that do not repeat it', (reason, hash) => {
    expect(hashProblem(hash)).toContain(reason);
    if (hash !== '') expect(hashProblem(hash)).not.toContain(hash);
  });
});
