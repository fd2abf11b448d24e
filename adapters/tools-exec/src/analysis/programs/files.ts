import type { ProgramTable } from '../program.ts'

/** Programs that list, read, copy and remove files. */
export const FILES: ProgramTable = {
  ls: { takes: { text: '-I -T -w --ignore --hide --color --sort --time --time-style --format --block-size' }, output: 'names' },
  'dir vdir tree exa eza lsd broot': { takes: { text: '-L -I -P --level' }, output: 'names' },
  'fd fdfind': {
    takes: {
      text: '-e -t -d -E -S --extension --type --max-depth --exclude',
      argv: '-x -X --exec --exec-batch',
      enter: '--base-directory',
    },
    operands: 'pattern',
    output: 'names',
  },
  find: {
    style: 'words',
    takes: {
      text: `-name -iname -path -ipath -wholename -regex -iregex -type -size -mtime -atime -ctime -mmin -amin -cmin -maxdepth -mindepth -perm -user
        -group -uid -gid -links -inum -printf -regextype -fstype -xtype -D -O -newermt -lname -ilname -used`,
      read: '-newer -anewer -cnewer -samefile -files0-from',
      write: '-fprint -fprintf -fls -fprint0',
      argv: '-exec -execdir -ok -okdir',
    },
    marks: { '-delete': { mutability: 'destructive' } },
    output: 'names',
  },
  'locate mlocate plocate': { operands: 'text', categories: ['outside-path'] },
  'cat tac zcat bzcat xzcat zstdcat lz4cat bat batcat': {
    takes: { text: '-l --language --style --theme --line-range -r' },
    output: 'cat',
  },
  'head tail': { takes: { text: '-n -c -s --lines --bytes --pid' }, output: 'filter' },
  'stat file readlink realpath': {
    takes: { text: '-c -f --format --printf -m', read: '--relative-to --relative-base' },
    output: 'names',
  },
  'basename dirname pathchk': { takes: { text: '-s --suffix' }, operands: 'text', output: 'names' },
  'du df lsblk findmnt ncdu duf dust': {
    takes: { text: '-d -B -t --max-depth --block-size --exclude --type -o --output' },
    output: 'content',
  },
  'mount umount swapon swapoff losetup mkswap': { operands: 'write', categories: ['privilege'], mutability: 'destructive' },
  'md5sum sha1sum sha224sum sha256sum sha384sum sha512sum b2sum cksum shasum b3sum sum': { takes: { text: '-a' } },
  'touch mkdir mktemp mkfifo mknod': {
    takes: { text: '-m -d -t --mode --date --suffix -p', read: '-r --reference' },
    operands: 'write',
    mutability: 'write',
    output: 'names',
  },
  'cp ln install': {
    takes: { text: '-m -o -g -S --mode --suffix', write: '-t --target-directory' },
    operands: 'last-write',
    mutability: 'write',
    copies: true,
  },
  'mv rename prename mmv': {
    takes: { text: '-S --suffix', write: '-t --target-directory' },
    operands: 'last-write',
    mutability: 'destructive',
    copies: true,
  },
  'rm rmdir unlink': { operands: 'write', mutability: 'destructive' },
  'trash trash-put rimraf del-cli': { operands: 'write', mutability: 'destructive' },
  'shred wipe srm': { takes: { text: '-n -s' }, operands: 'write', mutability: 'destructive', categories: ['destructive'] },
  truncate: { takes: { text: '-s -r --size' }, operands: 'write', mutability: 'destructive' },
  fallocate: { takes: { text: '-l -o' }, operands: 'write', mutability: 'write' },
  dd: { style: 'none', operands: 'key-value', mutability: 'write' },
  'mkfs mke2fs fdisk parted sfdisk sgdisk wipefs blkdiscard cryptsetup lvremove vgremove pvremove mdadm hdparm': {
    operands: 'write',
    categories: ['device-path', 'destructive'],
    mutability: 'destructive',
  },
  'mkfs.ext4 mkfs.ext3 mkfs.ext2 mkfs.xfs mkfs.btrfs mkfs.vfat mkfs.fat': {
    operands: 'write',
    categories: ['device-path', 'destructive'],
    mutability: 'destructive',
  },
  'chmod chown chgrp chattr setfacl': { takes: { read: '--reference' }, operands: 'pattern', mutability: 'write' },
  'setcap setuid': { operands: 'pattern', categories: ['privilege'], mutability: 'write' },
  'lsattr getfacl getcap namei': {},
  tee: { operands: 'write', mutability: 'write', output: 'filter' },
  sponge: { operands: 'write', mutability: 'write' },
  'split csplit': {
    takes: { text: '-n -l -b -C -a --lines --bytes', command: '--filter' },
    operands: 'read',
    mutability: 'write',
  },
  tar: {
    takes: {
      text: '--exclude --transform --xform --owner --group --mode --strip-components --mtime --format -b --warning --checkpoint -N',
      scan: '-f --file -T -X --files-from --exclude-from',
      enter: '-C --directory',
      command: '-I -F --use-compress-program --to-command --info-script --new-volume-script --rsh-command',
      code: '--checkpoint-action',
    },
    operands: 'scan',
    language: 'other',
    mutability: 'write',
  },
  'gzip gunzip bzip2 bunzip2 xz unxz lzma zstd unzstd lz4 pigz compress uncompress brotli': {
    takes: { text: '-T -S -b --threads' },
    operands: 'read',
    mutability: 'write',
    output: 'content',
  },
  'unzip zipinfo unrar 7z 7za 7zr zipnote bsdtar ar cpio pax': {
    takes: { enter: '-d', text: '-x -P', command: '--to-command --rsh-command' },
    operands: 'read',
    mutability: 'write',
  },
  zip: { takes: { text: '-x -i -P', command: '-TT --unzip-command' }, operands: 'scan', mutability: 'write' },
  'rsync scp sftp rcp unison rclone': {
    takes: {
      text: '-f --exclude --include --filter --chmod --port -P -l --info --bwlimit --max-size',
      command: '-e --rsh --rsync-path',
      read: '-i --exclude-from --include-from --files-from --password-file -F',
      setting: '-o',
      scan: '--compare-dest --link-dest --partial-dir --temp-dir --log-file --backup-dir -S',
    },
    operands: 'remote',
    mutability: 'write',
    copies: true,
  },
  'sync fsync stty tty clear reset tput setterm': { operands: 'text', output: 'token' },
  'fallow dircolors': {},
  'lsof fuser': { categories: ['process-control'] },
  'inotifywait fswatch': { takes: { text: '-e --format --exclude' } },
}
