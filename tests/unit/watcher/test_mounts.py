import pytest
from watcher import mounts
from watcher.mounts import is_file_mount, mount_of, read_mountinfo, why_no_events

# Lines as Linux writes them, of several machines, numbered so that they fit together.
MACHINE = r"""
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro
23 22 0:21 / /proc rw,nosuid,nodev,noexec,relatime shared:12 - proc proc rw
24 22 0:23 / /tmp rw,nosuid,nodev shared:13 - tmpfs tmpfs rw,size=2048k,inode64
25 22 0:45 / /srv/nfs rw,relatime shared:20 - nfs4 10.0.0.2:/export rw,vers=4.2,proto=tcp,addr=10.0.0.2
26 22 0:46 / /srv/smb rw,relatime - cifs //nas/share rw,vers=3.1.1,cache=strict,username=u,uid=0
27 22 0:47 / /mnt/c rw,noatime - 9p C:\134 rw,dirsync,aname=drvfs;path=C:\;uid=1000,mmap,access=client,msize=65536
28 22 0:48 / /host rw,relatime - virtiofs share0 rw
29 22 0:49 / /home/u/remote rw,nosuid,nodev,relatime shared:30 - fuse.sshfs u@host:/data rw,user_id=1000,group_id=1000
30 22 0:50 / /mnt/bound rw,nosuid,nodev,relatime - fuse /srv/source rw,user_id=0,group_id=0,allow_other
31 22 0:51 /@home /home rw,relatime shared:31 - btrfs /dev/sdb2 rw,ssd,space_cache=v2,subvolid=257,subvol=/@home
32 31 0:49 / /home/u/remote rw,nosuid,nodev,relatime shared:30 - fuse.sshfs u@host:/data rw,user_id=1000,group_id=1000
33 22 0:52 / /mnt/my\040reports\011x\134y rw,relatime - ext4 /dev/sdc1 rw
34 22 8:1 / /over rw,relatime shared:1 - ext4 /dev/sdd1 rw
35 34 0:53 / /over rw,relatime - nfs 10.0.0.2:/over rw,vers=3
36 22 0:54 / /mnt/win rw,relatime - fuseblk /dev/sde1 rw,user_id=0,group_id=0
"""

CONTAINER = r"""
600 500 0:60 / / rw,relatime master:301 - overlay overlay rw,lowerdir=/l/A:/l/B,upperdir=/d/diff,workdir=/d/work
601 600 0:63 / /proc rw,nosuid,nodev,noexec,relatime - proc proc rw
602 600 254:1 /docker/containers/4f/hosts /etc/hosts rw,relatime - ext4 /dev/vda1 rw
603 600 254:1 /lib/kubelet/pods/7c/volume-subpaths/reports/app/0 /data/report.json ro,relatime - ext4 /dev/vda1 rw
604 600 0:61 / /run/desktop rw,relatime - 9p C:\040drive rw,dirsync,aname=drvfs
605 600 0:62 /Users/u/reports /reports rw,nosuid,nodev,relatime - fuse.grpcfuse grpcfuse rw,user_id=0
606 600 0:64 /Users/u/other /other rw,relatime - fakeowner /run/host_mark/Users rw,nodev,fakeowner
607 600 254:1 /lib/kubelet/pods/7c/volumes/kubernetes.io~configmap/c /config ro,relatime - ext4 /dev/vda1 rw
"""


@pytest.mark.parametrize(
    ("path", "fs_type"),
    [
        pytest.param("/var/lib/r.json", "ext4", id="root"),
        pytest.param("/", "ext4", id="the-root-itself"),
        pytest.param("/tmp/r.json", "tmpfs", id="tmpfs"),
        pytest.param("/tmpfile/r.json", "ext4", id="only-whole-components-count"),
        pytest.param("/srv/nfs", "nfs4", id="the-point-itself"),
        pytest.param("/srv/nfs/a/b/r.json", "nfs4", id="nfs4"),
        pytest.param("/srv/smb/r.json", "cifs", id="cifs"),
        pytest.param("/mnt/c/Users/r.json", "9p", id="wsl-drvfs"),
        pytest.param("/host/r.json", "virtiofs", id="virtiofs"),
        pytest.param("/mnt/bound/r.json", "fuse", id="bindfs"),
        pytest.param("/home/u/r.json", "btrfs", id="btrfs-subvolume"),
        pytest.param("/home/u/remote/r.json", "fuse.sshfs", id="sshfs-on-btrfs"),
        pytest.param("/mnt/my reports\tx\\y/r.json", "ext4", id="escaped"),
        pytest.param("/mnt/win/r.json", "fuseblk", id="fuseblk"),
        pytest.param("/over/r.json", "nfs", id="overmount"),
    ],
)
def test_mount_of(path: str, fs_type: str) -> None:
    """The innermost mount that can be seen counts."""
    mount = mount_of(path, MACHINE)

    assert mount is not None
    assert mount.fs_type == fs_type


@pytest.mark.parametrize(
    ("path", "fs_type"),
    [
        pytest.param("/app/r.json", "overlay", id="overlay"),
        pytest.param("/run/desktop/r.json", "9p", id="docker-desktop-on-windows"),
        pytest.param("/reports/r.json", "fuse.grpcfuse", id="docker-desktop-on-macos"),
        pytest.param("/other/r.json", "fakeowner", id="docker-desktop-with-virtiofs"),
        pytest.param("/config/..data/r.json", "ext4", id="config-map"),
    ],
)
def test_mount_of_in_a_container(path: str, fs_type: str) -> None:
    """The mount on which the container's root is mounted is not listed there."""
    mount = mount_of(path, CONTAINER)

    assert mount is not None
    assert mount.fs_type == fs_type


def test_a_mount_that_a_later_one_hides_does_not_count() -> None:
    """Though its point is the longer prefix."""
    hidden = MACHINE + "90 25 0:70 / /srv/nfs/inner rw - ext4 /dev/sdx rw\n91 22 0:71 / /srv rw - tmpfs tmpfs rw\n"
    mount = mount_of("/srv/nfs/inner/r.json", hidden)

    assert mount is not None
    assert mount.fs_type == "tmpfs"


def test_a_mount_is_unescaped() -> None:
    """Blanks, tabs and backslashes of names are as they are on disk."""
    mount = mount_of("/run/desktop", CONTAINER)

    assert mount == mounts.Mount(604, 600, "/", "/run/desktop", "9p", "C: drive")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        pytest.param("/data/report.json", True, id="subPath"),
        pytest.param("/etc/hosts", True, id="docker-file"),
        pytest.param("/data/other.json", False, id="neighbour"),
        pytest.param("/config/r.json", False, id="in-a-mounted-directory"),
        pytest.param("/config/..data/r.json", False, id="config-map"),
    ],
)
def test_is_file_mount(path: str, expected: bool) -> None:
    """A single mounted file is told from one in a mounted directory."""
    assert is_file_mount(path, CONTAINER) is expected


@pytest.mark.parametrize("mountinfo", ["", "\n", "nonsense\n1 2 3\n"])
def test_no_mounts_are_known(mountinfo: str) -> None:
    """Without a usable text nothing is claimed."""
    assert mount_of("/r.json", mountinfo) is None
    assert not is_file_mount("/r.json", mountinfo)


@pytest.mark.parametrize(
    "fs_type",
    [
        *("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "drvfs", "virtiofs", "fuse", "fuse.sshfs", "fuse.glusterfs"),
        *("fuse.grpcfuse", "fakeowner", "vboxsf", "prl_fs", "vmhgfs", "fuse.vmhgfs-fuse", "ceph", "afs", "lustre"),
    ],
)
def test_why_no_events(fs_type: str) -> None:
    """Where others can change files behind the kernel's back, it is said which file system that is."""
    assert why_no_events(fs_type) == f"{fs_type} does not tell of changes made elsewhere"


@pytest.mark.parametrize("fs_type", ["ext4", "xfs", "btrfs", "zfs", "tmpfs", "overlay", "fuseblk", "f2fs"])
def test_events_can_be_trusted(fs_type: str) -> None:
    """On local file systems."""
    assert why_no_events(fs_type) is None


def test_this_machine_has_a_root() -> None:
    """The real text can be read and parsed."""
    mount = mount_of("/", read_mountinfo())

    assert mount is not None
    assert mount.point == "/"


def test_without_proc_no_mounts_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no such file, it is an empty text."""
    monkeypatch.setattr(mounts, "MOUNTINFO", mounts.MOUNTINFO.with_name("missing"))

    assert read_mountinfo() == ""
