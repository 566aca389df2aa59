# The registry, by .NET's own types.

# HIVE:\KEY as its hive and the rest.
function registry_split($path) {
    if ($path -notmatch '^(HKCC|HKCR|HKCU|HKLM|HKU):\\(.*)$') {
        fail "path: $path is not a valid registry path, see module documentation for examples."
    }
    $hives = @{ HKCC = 'CurrentConfig'; HKCR = 'ClassesRoot'; HKCU = 'CurrentUser'; HKLM = 'LocalMachine'; HKU = 'Users' }
    $key = $Matches[2].TrimEnd('\')
    $hive = [Microsoft.Win32.Registry].GetField($hives[$Matches[1].ToUpper()]).GetValue($null)
    @($hive, $key)
}

function registry_value($key, $name) {
    # (As it is: a list of one must not become that one.)
    , $key.GetValue($name, $null, [Microsoft.Win32.RegistryValueOptions]::DoNotExpandEnvironmentNames)
}

# The kind of a value that is there; an unset default has none.
function registry_kind($key, $name) {
    try { [string]$key.GetValueKind($name) } catch { 'String' }
}

# Numbers without a sign, bytes as 0x..: how values are shown.
function registry_shown($value, $kind) {
    switch ($kind) {
        'DWord' { [long]$value -band 0xffffffffL }
        'QWord' { [uint64]('0x{0:x}' -f $value) }
        { 'Binary', 'None', 'Unknown' -contains $_ } { , [object[]]@(foreach ($byte in @($value)) { '0x{0:x2}' -f $byte }) }
        default { if ($value -is [array]) { , [object[]]$value } else { $value } }
    }
}
