# What doctor asks of a Unix host. Any Bourne shell; changes nothing and asks nobody for rights.
echo "@@shell sh"
echo "@@user $(id -un 2>/dev/null) $(id -u 2>/dev/null)"
echo "@@kernel $(uname -s 2>/dev/null) $(uname -r 2>/dev/null) $(uname -m 2>/dev/null)"
if [ -r /etc/os-release ]; then
  sed -n 's/^PRETTY_NAME=/@@system /p' /etc/os-release
elif [ -r /etc/redhat-release ]; then
  echo "@@system $(head -n 1 /etc/redhat-release)"
fi
echo "@@charmap $(locale charmap 2>/dev/null)"
echo "@@now $(date -u +%s 2>/dev/null)"
df -Pk / "${TMPDIR:-/tmp}" 2>/dev/null | while read -r device size used free part where; do
  echo "@@disk $size $free $where"
done
echo "@@end"
